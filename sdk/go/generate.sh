#!/bin/sh
# Makes internal/generated anew from wit/weir.wit. It needs wit-bindgen, for its Go generator:
#
#     cargo install wit-bindgen-cli@0.63.0 --no-default-features --features go
#
# What it writes is changed in three ways, so that the SDK needs no other module: its small runtime is the copy in
# internal/wit, the exported roles are those of internal/roles, and it is compiled for the sandbox only.
set -eu
cd "$(dirname "$0")"
module=github.com/weir-project/weir/sdk/go/internal
rm -rf internal/generated
wit-bindgen go wit --world host --pkg-name "$module/generated" --generate-stubs --out-dir internal/generated >/dev/null
rm -rf internal/generated/exports/export_*
find internal/generated -name '*.go' | while read -r file; do
	{
		echo "//go:build wasip1"
		echo
		sed -e "s|\"go.bytecodealliance.org/pkg/wit/|\"$module/wit/|" \
			-e "s|^	\"$module/generated/exports/\(export_[a-z_]*\)\"|	\1 \"$module/roles\"|" "$file"
	} >"$file.new"
	mv "$file.new" "$file"
	gofmt -w "$file"
done
