# terraform test: plans the module against a mock of the provider, so no account is needed.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com" }
  }
}

variables {
  name_prefix    = "hotel-dev"
  region         = "eu-west-1"
  api_identifier = "https://api.hotel.example"
}

run "the_domain_is_nobody_elses" {
  command = plan

  assert {
    condition     = output.token_endpoint == "https://hotel-dev-123456789012.auth.eu-west-1.amazoncognito.com/oauth2/token"
    error_message = "the token endpoint is on another domain: ${output.token_endpoint}"
  }
}

run "a_machine_asks_for_its_scopes_with_the_apis_name_before_them" {
  command = plan

  assert {
    condition     = output.request_scopes["agent"] == "https://api.hotel.example/read"
    error_message = "another scope is asked for: ${output.request_scopes["agent"]}"
  }
}

run "an_unknown_scope_is_refused" {
  command = plan

  variables {
    machine_clients = { agent = { scopes = ["fly"] } }
  }

  expect_failures = [var.machine_clients]
}
