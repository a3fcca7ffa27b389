# Which compiler: Debian's clang with its WASI sysroot, else the one in the package `ziglang` of PyPI.
ifneq ($(shell command -v clang-19),)
CC = clang-19
AR = llvm-ar-19
SYSROOT = --sysroot=/usr
else ifneq ($(shell command -v python-zig),)
CC = python-zig cc
AR = python-zig ar
SYSROOT =
else
$(error there is no clang with a WASI sysroot; apt install clang-19 lld-19 llvm-19 wasi-libc libclang-rt-19-dev-wasm32, or pip install ziglang)
endif

TARGET = wasm32-wasi
CFLAGS = --target=$(TARGET) $(SYSROOT) -std=c17 -O2 -Wall -Wextra -Wno-unused-parameter
# A reactor: it is called and has no main. The stack's size is said because Zig's own choice takes 16 MiB of every sandbox.
LDFLAGS = --target=$(TARGET) $(SYSROOT) -mexec-model=reactor -Wl,-z,stack-size=262144 -s
