// `doctor`, `deploy` and `delete` on the command line: their flags and their help.
import { Option } from 'commander'
import type { Command } from 'commander'
import { MODELS } from '../../options/index.js'
import { count, tag } from '../flags.js'
import type { CliIo, Done } from '../io.js'
import { JUMPSTART_MODELS } from './jumpstart.js'

/** Adds `doctor` to the program. */
export function addDoctor(program: Command, io: CliIo, done: Done): void {
  program
    .command('doctor')
    .description(
      'Go the way of a judgement step by step: settings, region, credentials, endpoint, container, ' +
        'examples. Each failure with its cure.',
    )
    .option('--endpoint <name>', 'SageMaker endpoint (LLAMA_GUARD_ENDPOINT)')
    .addOption(new Option('--model <model>', 'guard model (LLAMA_GUARD_MODEL)').choices([...MODELS]))
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard doctor --endpoint llama-guard-3-8b --model llama-guard-3-8b`,
    )
    .action(async (flags: { endpoint?: string; model?: string; region?: string }) => {
      const { doctor } = await import('./doctor.js')
      done(await doctor(flags, io))
    })
}

/** Adds `deploy` to the program. */
export function addDeploy(program: Command, io: CliIo, done: Done): void {
  program
    .command('deploy')
    .description('Put a JumpStart model on a SageMaker endpoint. The endpoint is charged for until it is deleted.')
    .requiredOption(
      '--model <model>',
      `${JUMPSTART_MODELS.map(({ aliases }) => aliases[0]).join(', ')}, or a JumpStart id`,
    )
    .option('--accept-eula', "accept the model's licence, which the command prints without this flag")
    .option('--role <arn>', 'execution role of the endpoint (SAGEMAKER_EXECUTION_ROLE_ARN)')
    .option('--instance-type <type>', "default: the model's own")
    .option('--instance-count <number>', 'instances behind the endpoint', count(1), 1)
    .option('--endpoint <name>', "default: the model's short name")
    .option('--region <region>', 'AWS region (AWS_REGION)')
    .option('--tag <key=value>', 'a tag, repeatable', tag, {})
    .option('--no-wait', 'return while the endpoint is still being created')
    .addHelpText(
      'after',
      `
Example:
  $ npx express-llama-guard deploy --model llama-guard-3-8b --accept-eula --instance-type ml.g5.4xlarge \\
    --role arn:aws:iam::123456789012:role/SageMakerRole`,
    )
    .action(
      async ({
        tag: tags,
        ...flags
      }: {
        model: string
        acceptEula?: boolean
        role?: string
        instanceType?: string
        instanceCount: number
        endpoint?: string
        region?: string
        tag: Record<string, string>
        wait: boolean
      }) => {
        const { deploy } = await import('./deploy.js')
        done(await deploy({ ...flags, tags }, io))
      },
    )
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
