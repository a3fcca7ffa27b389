;; A mapper that gives the host bad memory for its arguments. It allocates honestly for the small ones with which it is
;; tried; what is asked of it for an input of so many bytes, or for two pairs of texts, says how it lies. A core module, made a component by the tests.
(module
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    ;; Outside memory, at its very end, and where the end overflows.
    (if (i32.eq (local.get $size) (i32.const 5001)) (then (return (i32.const 131072))))
    (if (i32.eq (local.get $size) (i32.const 5002)) (then (return (i32.const 131071))))
    (if (i32.eq (local.get $size) (i32.const 5003)) (then (return (i32.const 0xffffffff))))
    ;; Not at all, and never.
    (if (i32.eq (local.get $size) (i32.const 5004)) (then unreachable))
    (if (i32.eq (local.get $size) (i32.const 5005)) (then (loop $for_ever (br $for_ever))))
    ;; Two pairs of texts at an odd address.
    (if (i32.eq (local.get $size) (i32.const 32)) (then
      (if (i32.eq (local.get $align) (i32.const 4)) (then (return (i32.const 4097))))))
    (local.set $at (global.get $next))
    (global.set $next
      (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (local.get $at))
  ;; No documents.
  (func (export "weir:plugin/mapper@0.1.0#transform") (param $arguments i32) (result i32) (i32.const 1024)))
