//go:build wasip1

// Package runtime is what the generated bindings use to hand memory over the boundary of the sandbox.
package runtime

import (
	"runtime"
	"runtime/debug"
	"unsafe"
)

// What the host wrote into this memory stays where it is until the bindings have taken it over.
var pinner runtime.Pinner

// Unpin lets go of what the host wrote, once the bindings have taken it over.
func Unpin() {
	pinner.Unpin()
}

// Allocate gives memory of the garbage collector that stays where it is until it is unpinned. Nothing in it is taken for a
// pointer: the bindings pin what they write addresses of.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	var pointer unsafe.Pointer
	// Go aligns a block by the size of its elements.
	switch align {
	case 1:
		pointer = unsafe.Pointer(unsafe.SliceData(make([]uint8, size)))
	case 2:
		pointer = unsafe.Pointer(unsafe.SliceData(make([]uint16, (size+1)/2)))
	case 4:
		pointer = unsafe.Pointer(unsafe.SliceData(make([]uint32, (size+3)/4)))
	case 8:
		pointer = unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	default:
		panic("no type of the contract has such an alignment")
	}
	pinner.Pin(pointer)
	return pointer
}

var (
	// isRunning says whether Go's runtime has been initialised, so that its allocator may be used.
	isRunning bool
	// isPausing says that the adapter is being told to pause its clock, which may be the first that it hears of anything.
	isPausing bool
)

func init() {
	debug.SetGCPercent(-1)
	isRunning = true
}

// Collecting calls the function with the garbage collector at work, which it is at no other time: a collection looks at
// clocks and timers, and while the host asks for memory no import may be called. The program is linked with
// `gcstoptheworld=2`, so that none that began here goes on afterwards.
func Collecting[T any](call func() T) T {
	debug.SetGCPercent(100)
	defer debug.SetGCPercent(-1)
	return call()
}

// Resting calls the function, which calls an import that gives memory, with the garbage collector at rest.
func Resting[T any](call func() T) T {
	debug.SetGCPercent(-1)
	defer debug.SetGCPercent(100)
	return call()
}

// early is what the host gets where Go's allocator may not be used: the adapter of WASI asks for its own memory, a page and a
// stack, at its first call, which Go's runtime makes while it starts.
var (
	early     [4 << 16]byte
	earlyUsed uintptr
)

func allocateEarly(size, align uintptr) unsafe.Pointer {
	start := uintptr(unsafe.Pointer(&early)) + earlyUsed
	padding := -start & (align - 1)
	if earlyUsed+padding+size > uintptr(len(early)) {
		panic("the host asked for more memory than is set aside for it beside Go's own")
	}
	earlyUsed += padding + size
	return unsafe.Pointer(start + padding)
}

// Go's allocator may look at the clock when it gives memory back to the system, and an import may not be called while the
// host asks for memory; so the adapter is told to answer with the time that it saw last.
//
//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func pauseClock(paused bool)

// reallocate gives the host memory for what it passes in. The host never asks to move a block.
//
//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host asked to move a block of memory")
	}
	if !isRunning || isPausing {
		return allocateEarly(size, align)
	}
	isPausing = true
	pauseClock(true)
	isPausing = false
	pointer := Allocate(&pinner, size, align)
	pauseClock(false)
	return pointer
}
