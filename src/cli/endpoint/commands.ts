// The flags and the help of `doctor`, `deploy` and `delete`.
import { type Command, Option } from 'commander'
import { count, guarded, type GuardFlags, optionsOf, outputOption, range, tag } from '../flags.js'
import type { CliIo, Done } from '../io.js'
import { CONTAINERS } from './containers.js'
import type { DeployOptions } from './plan.js'
import type { DoctorOptions } from './doctor.js'
import { JUMPSTART_MODELS } from './jumpstart.js'

/** Adds `doctor` to the program. */
export function addDoctor(program: Command, io: CliIo, done: Done): void {
  guarded(program.command('doctor'))
    .description(
      'Go the way of a judgement step by step: settings, region, credentials, endpoint, container, ' +
        'examples. Each failure with its cure. Every guard of a panel is examined by itself.',
    )
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .addOption(outputOption())
    .option('--latency', 'also time checks, cold and warm, and more at once until the endpoint is full')
    .addHelpText(
      'after',
      `
Examples:
  $ npx express-llama-guard doctor --guard llama-guard-3-8b@my-endpoint
  $ npx express-llama-guard doctor --latency`,
    )
    .action(async (flags: GuardFlags & DoctorOptions) => {
      const { doctor } = await import('./doctor.js')
      done(await doctor({ ...flags, options: optionsOf(flags, io.env) }, io))
    })
}

/** Adds `deploy` to the program. */
export function addDeploy(program: Command, io: CliIo, done: Done): void {
  program
    .command('deploy')
    .description('Put a JumpStart model on a SageMaker endpoint. The endpoint is charged for until it is deleted.')
    .option('--model <model>', `${JUMPSTART_MODELS.map((each) => each.name).join(', ')}, or a JumpStart id`)
    .option('--accept-eula', "accept the model's licence, which the command prints without this flag")
    .option('--role <arn>', 'execution role of the endpoint (SAGEMAKER_EXECUTION_ROLE_ARN)')
    .option('--instance-type <type>', "default: the model's own")
    .option('--instance-count <number>', 'instances behind the endpoint', count(1), 1)
    .addOption(
      new Option('--container <name>', 'what serves the weights (lmi for a guard that reads text)').choices([
        ...CONTAINERS,
      ]),
    )
    .addOption(new Option('--quantize <type>', 'weights in 8 bits, on GPUs since ml.g6 and ml.p5').choices(['fp8']))
    .option('--autoscale <min..max>', 'instances by the requests in flight', range)
    .option('--dry-run', 'say what would be made, and make nothing')
    .option('--endpoint <name>', "default: the model's short name")
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--tag <key=value>', 'a tag, repeatable', tag, {})
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard deploy --model llama-guard-3-8b --accept-eula --dry-run \\
    --role arn:aws:iam::123456789012:role/SageMakerRole`,
    )
    .action(async ({ tag: tags, ...flags }: Omit<DeployOptions, 'tags'> & { tag: Record<string, string> }) => {
      const { deploy } = await import('./deploy.js')
      done(await deploy({ ...flags, tags }, io))
    })
}

/** Adds `delete` to the program. */
export function addDelete(program: Command, io: CliIo, done: Done): void {
  program
    .command('delete')
    .description('Delete an endpoint with the configuration and model that deploy made for it.')
    .requiredOption('--endpoint <name>', 'the endpoint')
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--all', 'also a configuration and models of another name')
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard delete --endpoint llama-guard-3-8b`,
    )
    .action(async (flags: { endpoint: string; region?: string; all?: boolean }) => {
      const { deleteEndpoint } = await import('./delete.js')
      done(await deleteEndpoint(flags, io))
    })
}
