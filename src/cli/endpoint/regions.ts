// Where AWS keeps the serving images and the JumpStart model files in each region. Another account's image
// would be another image.

/**
 * Account of the Deep Learning Containers registry.
 * @see https://aws.github.io/deep-learning-containers/reference/available_images/, JumpStart's own model specifications,
 * and `image_uri_config/djl-lmi.json` of aws/sagemaker-python-sdk (August 2026), which names all of them for LMI
 */
const USUAL = '763104351884'
const USUAL_REGIONS =
  'ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 ' +
  'eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2'
const OTHERS: Readonly<Record<string, string>> = {
  'af-south-1': '626614931356',
  'ap-east-1': '871362719292',
  'ap-east-2': '975050140332',
  'ap-northeast-3': '364406365360',
  'ap-south-2': '772153158452',
  'ap-southeast-3': '907027046896',
  'ap-southeast-4': '457447274322',
  'ap-southeast-5': '550225433462',
  'ap-southeast-6': '633930458069',
  'ap-southeast-7': '590183813437',
  'ca-west-1': '204538143572',
  'cn-north-1': '727897471807',
  'cn-northwest-1': '727897471807',
  'eu-central-2': '380420809688',
  'eu-south-1': '692866216735',
  'eu-south-2': '503227376785',
  'il-central-1': '780543022126',
  'me-central-1': '914824155844',
  'me-south-1': '217643126080',
  'mx-central-1': '637423239942',
  'us-gov-east-1': '446045086412',
  'us-gov-west-1': '442386744353',
}

/** Full image name, or undefined where no image is known. */
export function imageUri(region: string, image: string): string | undefined {
  const account = USUAL_REGIONS.split(' ').includes(region) ? USUAL : OTHERS[region]
  if (account === undefined) return undefined
  return `${account}.dkr.ecr.${region}.${domain(region)}/${image}`
}

/** Bucket of the gated model files; the endpoint reads it with the execution role once the EULA is accepted. */
export function privateBucket(region: string): string {
  return `jumpstart-private-cache-prod-${region}`
}

/** Where the licence can be read. */
export function eulaUrl(region: string, key: string): string {
  return `https://jumpstart-cache-prod-${region}.s3.${region}.${domain(region)}/${key}`
}

function domain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}
