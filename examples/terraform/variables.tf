variable "region" {
  description = "AWS region of the endpoint."
  type        = string
}

variable "model" {
  description = "llama-guard-3-8b or llama-guard-3-1b."
  type        = string
  default     = "llama-guard-3-8b"

  validation {
    condition     = contains(["llama-guard-3-8b", "llama-guard-3-1b"], var.model)
    error_message = "Known models are llama-guard-3-8b and llama-guard-3-1b."
  }
}

variable "name" {
  description = "Name of the endpoint, its configuration and its model."
  type        = string
  default     = "llama-guard"
}

variable "accept_eula" {
  description = "True when you have read and accepted the model's licence. Without it the plan prints where it is."
  type        = bool
  default     = false
}

variable "instance_type" {
  description = "Default: the model's own, ml.g5.4xlarge or ml.g6.xlarge."
  type        = string
  default     = null
}

variable "instance_count" {
  description = "Instances at the start."
  type        = number
  default     = 1
}

variable "autoscale" {
  description = "Instances by the requests in flight for each. A new instance answers after minutes."
  type = object({
    min    = number
    max    = number
    target = optional(number, 5)
  })
  default = null

  validation {
    condition     = var.autoscale == null ? true : var.autoscale.min >= 1 && var.autoscale.min <= var.autoscale.max
    error_message = "Wanted: min from 1, and max not below it. Scaling to zero takes an inference component."
  }
}
