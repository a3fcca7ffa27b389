# The rules of a plugin. Its own Makefile says SOURCES and WORLD, which is `mapper` or `connector`, and includes this.

SDK := $(dir $(lastword $(MAKEFILE_LIST)))
include $(SDK)toolchain.mk

ARCHIVE = $(SDK)build/libweir_$(WORLD).a

# The archive's object is linked whole: nothing calls the exported functions in it.
build/plugin.core.wasm: $(SOURCES) $(ARCHIVE)
	@mkdir -p build
	$(CC) $(CFLAGS) -I$(SDK)generated $(LDFLAGS) $(SOURCES) -Wl,--whole-archive $(ARCHIVE) -Wl,--no-whole-archive -o $@

$(ARCHIVE): $(wildcard $(SDK)generated/*)
	$(MAKE) -C $(SDK)

clean:
	rm -rf build

.PHONY: clean
