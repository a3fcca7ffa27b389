#!/bin/sh
# Makes generated/ anew from the contract. It needs wit-bindgen, for its C generator:
#
#     cargo install wit-bindgen-cli@0.63.0 --no-default-features --features c
set -eu
cd "$(dirname "$0")"
rm -rf generated
for world in mapper-plugin connector-plugin; do
	# The object file says the types of the world, so that the archive holds all that a plugin needs.
	wit-bindgen c ../../wit --world "$world" --out-dir generated >/dev/null
done
