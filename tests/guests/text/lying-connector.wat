;; A connector that lies to the host about its requests and receipts. The first byte of its input says which lie it tells.
;; A core module, made a component by the tests.
(module
  (import "weir:plugin/http@0.1.0" "send"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "weir:plugin/http@0.1.0" "send-all" (func $send_all (param i32 i32 i32)))
  (memory (export "memory") 2)
  ;; The answer lies at 1024, what the host answers at 2048.
  (global $next (mut i32) (i32.const 4096))
  (data (i32.const 512) "GET")

  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next
      (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (local.get $at))

  ;; Sends a request to an address that is none, with this method, credential and place for the answer.
  (func $ask (param $method i32) (param $auth i32) (param $answer i32)
    (call $send (local.get $method) (i32.const 3) (i32.const 512) (i32.const 3) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (local.get $auth) (i32.const 0) (i32.const 0) (local.get $answer)))

  ;; Two thousand requests, each with all of memory as its body.
  (func $all_of_it
    (local $at i32)
    (memory.fill (i32.const 4096) (i32.const 0) (i32.const 88000))
    (local.set $at (i32.const 4096))
    (loop $more
      (i32.store (i32.add (local.get $at) (i32.const 28)) (i32.const 131072))
      (local.set $at (i32.add (local.get $at) (i32.const 44)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 92096))))
    (call $send_all (i32.const 4096) (i32.const 2000) (i32.const 2048)))

  (func (export "weir:plugin/actions@0.1.0#invoke") (param $call i32) (result i32)
    (local $lie i32)
    (local.set $lie (i32.load8_u (i32.load (i32.add (local.get $call) (i32.const 16)))))
    ;; A credential of a kind that there is not, a method outside memory.
    (if (i32.eq (local.get $lie) (i32.const 0x61)) (then (call $ask (i32.const 512) (i32.const 3) (i32.const 2048))))
    (if (i32.eq (local.get $lie) (i32.const 0x62)) (then (call $ask (i32.const 131070) (i32.const 0) (i32.const 2048))))
    ;; A place for the answer outside memory, and at an odd address.
    (if (i32.eq (local.get $lie) (i32.const 0x63)) (then (call $ask (i32.const 512) (i32.const 0) (i32.const 131072))))
    (if (i32.eq (local.get $lie) (i32.const 0x64)) (then (call $ask (i32.const 512) (i32.const 0) (i32.const 2049))))
    ;; So many requests that their size overflows, and the same bytes in all of two thousand.
    (if (i32.eq (local.get $lie) (i32.const 0x65)) (then
      (call $send_all (i32.const 0) (i32.const 0x7fffffff) (i32.const 2048))))
    (if (i32.eq (local.get $lie) (i32.const 0x66)) (then (call $all_of_it)))
    ;; A receipt whose external id is neither there nor not.
    (if (i32.eq (local.get $lie) (i32.const 0x67)) (then (i32.store8 (i32.const 1052) (i32.const 7))))
    (i32.const 1024))

  (func (export "weir:plugin/verification@0.1.0#verify") (param $call i32) (result i32)
    ;; A settlement that there is not, and a wait that is neither there nor not.
    (i32.store8 (i32.const 1028) (i32.const 3))
    (if (i32.eq (i32.load8_u (i32.load (i32.add (local.get $call) (i32.const 16)))) (i32.const 0x62)) (then
      (i32.store8 (i32.const 1028) (i32.const 2))
      (i32.store8 (i32.const 1032) (i32.const 2))))
    (i32.const 1024)))
