data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  domain_prefix = var.domain_prefix != "" ? var.domain_prefix : "${var.name_prefix}-${data.aws_caller_identity.current.account_id}"
  domain        = "${local.domain_prefix}.auth.${var.region}.amazoncognito.com"
  issuer        = "https://cognito-idp.${var.region}.${data.aws_partition.current.dns_suffix}/${aws_cognito_user_pool.this.id}"

  # The names as tokens and requests have them: the resource server's identifier, a slash, the scope.
  full_scopes = { for name, _ in var.scopes : name => "${aws_cognito_resource_server.api.identifier}/${name}" }
}

resource "aws_cognito_user_pool" "this" {
  name                     = var.name_prefix
  user_pool_tier           = var.tier
  deletion_protection      = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = "OPTIONAL"
  tags                     = var.tags

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  username_configuration {
    case_sensitive = false
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 7
  }

  software_token_mfa_configuration {
    enabled = true
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  dynamic "lambda_config" {
    for_each = var.token_customization_lambda_arn == "" ? [] : [var.token_customization_lambda_arn]

    content {
      pre_token_generation_config {
        lambda_arn     = lambda_config.value
        lambda_version = "V3_0"
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.token_customization_lambda_arn == "" || var.tier != "LITE"
      error_message = "token_customization_lambda_arn needs the tier ESSENTIALS or PLUS: LITE changes ID tokens only."
    }
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  domain                = local.domain_prefix
  user_pool_id          = aws_cognito_user_pool.this.id
  managed_login_version = var.tier == "LITE" ? 1 : 2
}

resource "aws_cognito_resource_server" "api" {
  identifier   = var.api_identifier
  name         = "${var.name_prefix} API"
  user_pool_id = aws_cognito_user_pool.this.id

  dynamic "scope" {
    for_each = var.scopes

    content {
      scope_name        = scope.key
      scope_description = scope.value
    }
  }
}

resource "aws_cognito_user_pool_client" "machine" {
  for_each = var.machine_clients

  name                                 = "${var.name_prefix}-${each.key}"
  user_pool_id                         = aws_cognito_user_pool.this.id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = [for scope in each.value.scopes : local.full_scopes[scope]]
  explicit_auth_flows                  = []
  access_token_validity                = var.access_token_minutes

  token_validity_units {
    access_token = "minutes"
  }
}

resource "aws_cognito_user_pool_client" "web" {
  for_each = var.web_clients

  name                                 = "${var.name_prefix}-${each.key}"
  user_pool_id                         = aws_cognito_user_pool.this.id
  generate_secret                      = !each.value.public
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = concat(["openid", "profile", "email"], [for scope in each.value.scopes : local.full_scopes[scope]])
  callback_urls                        = each.value.redirect_uris
  logout_urls                          = each.value.logout_uris
  supported_identity_providers         = ["COGNITO"]
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  access_token_validity                = var.access_token_minutes
  id_token_validity                    = var.access_token_minutes
  refresh_token_validity               = var.refresh_token_days

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}

resource "aws_cognito_managed_login_branding" "web" {
  for_each = var.tier == "LITE" ? {} : var.web_clients

  client_id                   = aws_cognito_user_pool_client.web[each.key].id
  user_pool_id                = aws_cognito_user_pool.this.id
  use_cognito_provided_values = true
}

resource "aws_cognito_user_group" "this" {
  for_each = var.groups

  name         = each.key
  description  = each.value
  user_pool_id = aws_cognito_user_pool.this.id
}
