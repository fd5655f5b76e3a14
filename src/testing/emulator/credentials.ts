// The one pair of AWS credentials that the emulator accepts, and what it says of a request with another. The signature
// itself is not computed: that would take the AWS SDK's signer as a dependency.
import { BAD_SIGNATURE, NO_SIGNATURE, UNKNOWN_KEY, wrongRegion } from './aws-errors.js'
import type { AwsError } from './aws-errors.js'

export const REGION = 'eu-west-1'
/** AWS's documentation examples: they open nothing anywhere. */
export const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

/** An `authorization` header of Signature Version 4: key, date, region, service, signed headers, signature. */
export const SIGV4 =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/** The AWS error for a header that is absent, malformed, or of another key, region or service; else undefined. */
export function checkCredential(authorization: string | undefined, wanted = 'sagemaker'): AwsError | undefined {
  if (authorization === undefined) return NO_SIGNATURE
  const [header, key, , region = '', service] = SIGV4.exec(authorization) ?? []
  if (header === undefined) return BAD_SIGNATURE
  if (key !== CREDENTIALS.accessKeyId) return UNKNOWN_KEY
  if (region !== REGION) return wrongRegion(region)
  return service === wanted ? undefined : BAD_SIGNATURE
}
