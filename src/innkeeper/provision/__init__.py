"""Setting up a cloud without Terraform: the same inputs, the same outputs, as ``terraform/cognito`` and ``terraform/entra``.

``inputs`` reads and judges what is asked for; ``parts`` compares what is to be with what is, makes it and takes it away;
``cognito`` and ``entra`` know the parts of each cloud, ``graph`` speaks to Microsoft Graph; ``record`` remembers what a
run was told and made. What was made is known again by marks in the cloud itself, so a run that broke off goes on.
"""
