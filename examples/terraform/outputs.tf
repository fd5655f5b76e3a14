output "LLAMA_GUARD_ENDPOINT" {
  value = aws_sagemaker_endpoint.guard.name
}

output "LLAMA_GUARD_MODEL" {
  value = var.model
}

output "invoke_policy_arn" {
  value = aws_iam_policy.invoke.arn
}
