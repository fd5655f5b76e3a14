# What AWS's own JumpStart specifications say of two Llama Guards: image, model files, environment. `npx
# express-llama-guard deploy` knows more of them; a test keeps these the same.
locals {
  # Regions whose images come from this account of AWS.
  registry = "763104351884"
  regions = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
  ]

  image = "djl-inference:0.29.0-lmi11.0.0-cu124"

  environment = {
    ENDPOINT_SERVER_TIMEOUT = "3600"
    HF_MODEL_ID             = "/opt/ml/model"
    MODEL_CACHE_ROOT        = "/opt/ml/model"
    # Most of a guard prompt is a policy that never changes. JumpStart's OPTION_ENABLE_CHUNKED_PREFILL goes: the vLLM of
    # this image refuses it beside a prefix cache.
    OPTION_ENABLE_PREFIX_CACHING   = "true"
    OPTION_MAX_MODEL_LEN           = "8192"
    SAGEMAKER_CONTAINER_LOG_LEVEL  = "20"
    SAGEMAKER_ENV                  = "1"
    SAGEMAKER_MODEL_SERVER_TIMEOUT = "3600"
    SAGEMAKER_MODEL_SERVER_WORKERS = "1"
    SAGEMAKER_PROGRAM              = "inference.py"
    SAGEMAKER_SUBMIT_DIRECTORY     = "/opt/ml/model/code"
  }

  models = {
    "llama-guard-3-8b" = {
      artifact      = "meta-textgeneration/meta-textgeneration-llama-guard-3-8b/artifacts/inference-prepack/v1.0.0/"
      eula          = "fmhMetadata/eula/llama3_1Eula.txt"
      instance_type = "ml.g5.4xlarge"
    }
    "llama-guard-3-1b" = {
      artifact      = "meta-textgeneration/meta-textgeneration-llama-guard-3-1b/artifacts/inference-prepack/v1.0.0/"
      eula          = "fmhMetadata/eula/llama3_2Eula.txt"
      instance_type = "ml.g6.xlarge"
    }
  }
}
