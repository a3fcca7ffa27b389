module github.com/weir-project/weir/plugins/contacts-go

go 1.25

require github.com/weir-project/weir/sdk/go v0.1.0

replace github.com/weir-project/weir/sdk/go => ../../sdk/go
