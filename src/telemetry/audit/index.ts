// The audit: one row for every request that reached the middleware, to a file or to a function of the operator's.
import type { Logger, RequestEvent } from '../../types.js'
import { type Audit, type AuditFileOptions, openAuditFile } from './file.js'

export type { Audit, AuditFileOptions } from './file.js'

/** Where the rows go. */
export type AuditOption = string | AuditFileOptions | AuditWriter

/** A place of your own for the rows. */
export interface AuditWriter {
  /** Must not block. A throw, or a promise that rejects, is logged and counted as a dropped row. */
  write(event: RequestEvent): void | Promise<void>
  /** Adds an HMAC-SHA256 of what was judged to each row. Never logged. Default: none. */
  readonly secret?: string
  /** Called once, when the middleware is closed. */
  close?(): void | Promise<void>
}

/** Throws `invalid_option` when the file cannot be opened. */
export function openAudit(option: AuditOption, logger: Logger): Audit {
  if (typeof option === 'string') return openAuditFile({ path: option }, logger)
  return 'write' in option ? ownAudit(option, logger) : openAuditFile(option, logger)
}

function ownAudit(writer: AuditWriter, logger: Logger): Audit {
  let [written, dropped] = [0, 0]
  let closed = false
  const failed = (error: unknown): void => {
    dropped++
    logger.error({ dropped, error: error instanceof Error ? error.name : typeof error }, 'audit.write failed')
  }
  return {
    secret: writer.secret,
    write(event) {
      try {
        const told: unknown = writer.write(event)
        written++
        if (told instanceof Promise)
          told.catch((error: unknown) => {
            written--
            failed(error)
          })
      } catch (error) {
        failed(error)
      }
    },
    stats: () => ({ written, dropped }),
    async close() {
      if (closed) return
      closed = true
      await writer.close?.()
    },
  }
}
