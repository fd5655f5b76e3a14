// A Llama Guard endpoint: execution role, model, endpoint configuration, endpoint. The same that `npx
// express-llama-guard deploy` makes.
import { CfnOutput, Stack, Token } from 'aws-cdk-lib'
import { CfnScalableTarget, CfnScalingPolicy } from 'aws-cdk-lib/aws-applicationautoscaling'
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnEndpoint, CfnEndpointConfig, CfnModel } from 'aws-cdk-lib/aws-sagemaker'
import { MODELS, REGIONS, REGISTRY } from './models.js'

/** Loading a model from S3 onto the GPU takes minutes. */
const STARTUP_SECONDS = 1800

export class LlamaGuardStack extends Stack {
  /** Give it to whatever runs the middleware: `stack.invokePolicy.attachToRole(role)`. */
  invokePolicy

  constructor(
    scope,
    id,
    { model: name = 'llama-guard-3-8b', instanceType, instanceCount = 1, autoscale, acceptEula = false, ...props },
  ) {
    super(scope, id, props)
    const { region } = this
    const model = MODELS[name]
    if (model === undefined)
      throw new Error(`There is no model ${JSON.stringify(name)} here. Known are ${Object.keys(MODELS).join(', ')}.`)
    if (Token.isUnresolved(region) || !REGIONS.includes(region))
      throw new Error(
        `The region is ${Token.isUnresolved(region) ? 'not set' : region}. Set AWS_REGION to one of ${REGIONS.join(', ')}.`,
      )
    if (acceptEula !== true)
      throw new Error(
        `${name} comes under a licence that you must read and accept: https://jumpstart-cache-prod-${region}.s3.${region}.amazonaws.com/${model.eula}\nThen add -c acceptEula=true.`,
      )

    // The endpoint reads the model files, pulls the image and writes logs and metrics; it needs no more.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('sagemaker.amazonaws.com') })
    const bucket = `arn:${this.partition}:s3:::jumpstart-private-cache-prod-${region}`
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${bucket}/${model.artifact}*`] }))
    role.addToPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket] }))
    role.addToPolicy(
      new PolicyStatement({ actions: ['ecr:GetAuthorizationToken', 'cloudwatch:PutMetricData'], resources: ['*'] }),
    )
    role.addToPolicy(
      new PolicyStatement({
        actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: [`arn:${this.partition}:ecr:${region}:${REGISTRY}:repository/*`],
      }),
    )
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: [`arn:${this.partition}:logs:${region}:${this.account}:log-group:/aws/sagemaker/*`],
      }),
    )

    const guard = new CfnModel(this, 'Model', {
      executionRoleArn: role.roleArn,
      // The container gets its files through SageMaker and needs no way out.
      enableNetworkIsolation: true,
      primaryContainer: {
        image: `${REGISTRY}.dkr.ecr.${region}.amazonaws.com/${model.image}`,
        environment: model.environment,
        modelDataSource: {
          s3DataSource: {
            s3Uri: `s3://jumpstart-private-cache-prod-${region}/${model.artifact}`,
            s3DataType: 'S3Prefix',
            compressionType: 'None',
            modelAccessConfig: { acceptEula },
          },
        },
      },
    })
    // SageMaker checks at once whether the role may read the files.
    guard.node.addDependency(role)

    const config = new CfnEndpointConfig(this, 'Config', {
      productionVariants: [
        {
          variantName: 'AllTraffic',
          modelName: guard.attrModelName,
          instanceType: instanceType ?? model.instanceType,
          initialInstanceCount: instanceCount,
          initialVariantWeight: 1,
          // The instance with the fewest open requests: checks differ in length by a factor of ten.
          routingConfig: { routingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
          modelDataDownloadTimeoutInSeconds: STARTUP_SECONDS,
          containerStartupHealthCheckTimeoutInSeconds: STARTUP_SECONDS,
        },
      ],
    })
    const endpoint = new CfnEndpoint(this, 'Endpoint', { endpointConfigName: config.attrEndpointConfigName })

    if (autoscale !== undefined) this.#scale(endpoint, autoscale)

    this.invokePolicy = new ManagedPolicy(this, 'Invoke', {
      description: 'Ask the Llama Guard endpoint, whole or as a stream.',
      // An endpoint's ARN has its name in lower case, so it is taken as it is and not put together from the name.
      statements: [
        new PolicyStatement({
          actions: ['sagemaker:InvokeEndpoint', 'sagemaker:InvokeEndpointWithResponseStream'],
          resources: [endpoint.ref],
        }),
      ],
    })
    new CfnOutput(this, 'LlamaGuardEndpoint', { value: endpoint.attrEndpointName, description: 'LLAMA_GUARD_ENDPOINT' })
    new CfnOutput(this, 'LlamaGuardModel', { value: name, description: 'LLAMA_GUARD_MODEL' })
    new CfnOutput(this, 'InvokePolicyArn', { value: this.invokePolicy.managedPolicyArn })
  }

  /** On the requests that an instance works on at once, a metric that SageMaker publishes every ten seconds. */
  #scale(endpoint, { min, max, target }) {
    const resource = {
      serviceNamespace: 'sagemaker',
      resourceId: `endpoint/${endpoint.attrEndpointName}/variant/AllTraffic`,
      scalableDimension: 'sagemaker:variant:DesiredInstanceCount',
    }
    const scalable = new CfnScalableTarget(this, 'Scalable', { ...resource, minCapacity: min, maxCapacity: max })
    const policy = new CfnScalingPolicy(this, 'Scaling', {
      ...resource,
      policyName: 'concurrent-requests',
      policyType: 'TargetTrackingScaling',
      targetTrackingScalingPolicyConfiguration: {
        targetValue: target,
        predefinedMetricSpecification: {
          predefinedMetricType: 'SageMakerVariantConcurrentRequestsPerModelHighResolution',
        },
        // A GPU instance takes minutes to load its model, so one is not given up over a short lull.
        scaleInCooldown: 600,
        scaleOutCooldown: 60,
      },
    })
    scalable.node.addDependency(endpoint)
    policy.node.addDependency(scalable)
  }
}
