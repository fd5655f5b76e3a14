# A Llama Guard endpoint: execution role, model, endpoint configuration, endpoint, and what scales it. The same that
# `npx express-llama-guard deploy` makes.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.81"
    }
  }
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  model    = local.models[var.model]
  instance = coalesce(var.instance_type, local.model.instance_type)
  bucket   = "jumpstart-private-cache-prod-${var.region}"
  # Loading a model from S3 onto the GPU takes minutes.
  startup_seconds = 1800
}

# The endpoint reads the model files, pulls the image and writes logs and metrics; it needs no more.
resource "aws_iam_role" "guard" {
  name = "${var.name}-execution"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "guard" {
  name = "read-model-pull-image-write-logs"
  role = aws_iam_role.guard.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["arn:${data.aws_partition.current.partition}:s3:::${local.bucket}/${local.model.artifact}*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = ["arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"]
      },
      {
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"]
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = ["arn:${data.aws_partition.current.partition}:ecr:${var.region}:${local.registry}:repository/*"]
      },
      {
        Effect = "Allow"
        Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [
          "arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:/aws/sagemaker/*",
        ]
      },
    ]
  })
}

resource "aws_sagemaker_model" "guard" {
  name               = var.name
  execution_role_arn = aws_iam_role.guard.arn
  # The container gets its files through SageMaker and needs no way out.
  enable_network_isolation = true

  primary_container {
    image       = "${local.registry}.dkr.ecr.${var.region}.amazonaws.com/${local.image}"
    environment = local.environment

    model_data_source {
      s3_data_source {
        s3_uri           = "s3://${local.bucket}/${local.model.artifact}"
        s3_data_type     = "S3Prefix"
        compression_type = "None"

        model_access_config {
          accept_eula = var.accept_eula
        }
      }
    }
  }

  # SageMaker checks at once whether the role may read the files.
  depends_on = [aws_iam_role_policy.guard]

  lifecycle {
    precondition {
      condition     = var.accept_eula
      error_message = "${var.model} comes under a licence that you must read and accept: https://jumpstart-cache-prod-${var.region}.s3.${var.region}.amazonaws.com/${local.model.eula} Then set accept_eula = true."
    }
    precondition {
      condition     = contains(local.regions, var.region)
      error_message = "Images of ${var.region} come from another account of AWS. Known here are ${join(", ", local.regions)}."
    }
  }
}

resource "aws_sagemaker_endpoint_configuration" "guard" {
  name = var.name

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.guard.name
    instance_type          = local.instance
    initial_instance_count = var.instance_count
    initial_variant_weight = 1

    model_data_download_timeout_in_seconds            = local.startup_seconds
    container_startup_health_check_timeout_in_seconds = local.startup_seconds

    # The instance with the fewest open requests: checks differ in length by a factor of ten.
    routing_config {
      routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
    }
  }
}

resource "aws_sagemaker_endpoint" "guard" {
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.guard.name
}

# On the requests that an instance works on at once, a metric that SageMaker publishes every ten seconds.
resource "aws_appautoscaling_target" "guard" {
  count = var.autoscale == null ? 0 : 1

  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.guard.name}/variant/AllTraffic"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = var.autoscale.min
  max_capacity       = var.autoscale.max
}

resource "aws_appautoscaling_policy" "guard" {
  count = var.autoscale == null ? 0 : 1

  name               = "${var.name}-concurrent-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.guard[0].service_namespace
  resource_id        = aws_appautoscaling_target.guard[0].resource_id
  scalable_dimension = aws_appautoscaling_target.guard[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = var.autoscale.target
    # A GPU instance takes minutes to load its model, so one is not given up over a short lull.
    scale_in_cooldown  = 600
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    }
  }
}

# Attach it to the role that your app runs as: it may ask the endpoint, and nothing else.
resource "aws_iam_policy" "invoke" {
  name        = "${var.name}-invoke"
  description = "Ask the Llama Guard endpoint, whole or as a stream."
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]
      Resource = [aws_sagemaker_endpoint.guard.arn]
    }]
  })
}
