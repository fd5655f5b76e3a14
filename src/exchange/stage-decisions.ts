// The decisions on the stages of one request: made by the policy, then kept on the request, logged, and told to the
// operator's hook and to telemetry.
import type { LlamaGuardError } from '../errors.js'
import { decide, decideError } from '../policy.js'
import type { Services } from '../services.js'
import { logHookError, logVerdict, verdictEvent } from '../telemetry/log.js'
import type { ObservedRequest, RequestTelemetry } from '../telemetry/request-telemetry.js'
import type { RequestConfig } from '../options/config.js'
import type { Decision, Judgement, Logger, NotJudgedReason, Stage, VerdictEvent } from '../types.js'

/** The request, as far as it has come. */
export interface DecidedRequest extends Pick<ObservedRequest, 'req' | 'requestId' | 'context' | 'dialectName'> {
  /** The decisions of this mount. */
  readonly decided: { input?: Decision; output?: Decision }
  readonly settings: RequestConfig
  readonly logger: Logger
}

export class StageDecisions {
  readonly #services: Services
  readonly #request: DecidedRequest
  readonly #telemetry: RequestTelemetry

  constructor(services: Services, request: DecidedRequest, telemetry: RequestTelemetry) {
    this.#services = services
    this.#request = request
    this.#telemetry = telemetry
  }

  decide(stage: Stage, judgements: readonly Judgement[], why?: NotJudgedReason): Decision {
    const { categories, model } = this.#services
    const decision = decide(stage, judgements, this.#request.settings, categories, why)
    return decision.model === '' ? { ...decision, model } : decision
  }

  decideError(stage: Stage, error: LlamaGuardError): Decision {
    return decideError(stage, error, this.#request.settings, this.#services.model)
  }

  /** Keeps the final decision on a stage on the request, logs it and reports it. */
  record(decision: Decision, judgements: readonly Judgement[]): Decision {
    const { decided, logger } = this.#request
    decided[decision.stage] = decision
    const event = verdictEvent(this.#request, decision, judgements)
    logVerdict(logger, event, decision.error, this.#services.ownGuard)
    this.#tell(event)
    this.#telemetry.stage(event)
    return decision
  }

  #tell(event: VerdictEvent): void {
    const { onVerdict } = this.#services.config
    if (onVerdict === undefined) return
    const { req, requestId, context, logger } = this.#request
    const failed = (error: unknown): void => logHookError(logger, 'onVerdict', error, { requestId, context })
    try {
      // The type of the hook returns void, but an async function fits it too. Its rejection would end the process.
      const told: unknown = onVerdict(event, req)
      if (told instanceof Promise) told.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
