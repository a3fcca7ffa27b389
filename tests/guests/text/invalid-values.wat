;; A mapper that lies to the host about what lies where. The first byte of its input says which lie it tells; to the empty
;; object, with which it is tried, it gives a good answer. A core module: no SDK writes such a thing, so the tests make a
;; component of it.
(module
  (import "weir:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 2)
  ;; Where the next allocation lies. The answer lies at 1024, a document of it at 2048.
  (global $next (mut i32) (i32.const 4096))
  ;; What to do when the answer has been read.
  (global $afterwards (mut i32) (i32.const 0))
  (data (i32.const 512) "\ff\fe")

  ;; Takes the next free place, aligned to eight, and never gives anything back.
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next
      (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (local.get $at))

  ;; An answer of one document whose content type, data and metadata are what the parameters say.
  (func $one_document (param $place i32) (param $pointer i32) (param $length i32)
    (i32.store (i32.const 1028) (i32.const 2048))
    (i32.store (i32.const 1032) (i32.const 1))
    (i32.store (i32.add (i32.const 2048) (local.get $place)) (local.get $pointer))
    (i32.store (i32.add (i32.const 2052) (local.get $place)) (local.get $length)))

  ;; An answer of as many documents as memory has room for, each of them all of memory.
  (func $all_of_it
    (local $at i32)
    (memory.fill (i32.const 4096) (i32.const 0) (i32.const 120000))
    (local.set $at (i32.const 4096))
    (loop $more
      (i32.store (i32.add (local.get $at) (i32.const 12)) (i32.const 131072))
      (local.set $at (i32.add (local.get $at) (i32.const 24)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 124096))))
    (i32.store (i32.const 1028) (i32.const 4096))
    (i32.store (i32.const 1032) (i32.const 5000)))

  ;; A fault with this kind, and with a wait that is there, is not, or is neither.
  (func $fault (param $kind i32) (param $has_wait i32)
    (i32.store8 (i32.const 1024) (i32.const 1))
    (i32.store8 (i32.const 1028) (local.get $kind))
    (i32.store8 (i32.const 1048) (local.get $has_wait)))

  (func (export "weir:plugin/mapper@0.1.0#transform") (param $arguments i32) (result i32)
    (local $lie i32)
    (local.set $lie (i32.load8_u (i32.load (i32.add (local.get $arguments) (i32.const 92)))))
    ;; Neither an answer nor a fault.
    (if (i32.eq (local.get $lie) (i32.const 0x61)) (then (i32.store8 (i32.const 1024) (i32.const 2))))
    ;; A fault of a kind that there is not: the first beyond the last, and the last of all.
    (if (i32.eq (local.get $lie) (i32.const 0x62)) (then (call $fault (i32.const 11) (i32.const 0))))
    (if (i32.eq (local.get $lie) (i32.const 0x63)) (then (call $fault (i32.const 255) (i32.const 0))))
    ;; A wait that is neither there nor not.
    (if (i32.eq (local.get $lie) (i32.const 0x64)) (then (call $fault (i32.const 0) (i32.const 2))))
    ;; Documents outside memory, so many that their size overflows, and at an odd address.
    (if (i32.eq (local.get $lie) (i32.const 0x65)) (then
      (i32.store (i32.const 1028) (i32.const 131072))
      (i32.store (i32.const 1032) (i32.const 1))))
    (if (i32.eq (local.get $lie) (i32.const 0x66)) (then
      (i32.store (i32.const 1028) (i32.const 2048))
      (i32.store (i32.const 1032) (i32.const 0x7fffffff))))
    (if (i32.eq (local.get $lie) (i32.const 0x67)) (then
      (i32.store (i32.const 1028) (i32.const 2049))
      (i32.store (i32.const 1032) (i32.const 1))))
    ;; A content type whose end overflows, data beyond the end, metadata at an odd address.
    (if (i32.eq (local.get $lie) (i32.const 0x68)) (then
      (call $one_document (i32.const 0) (i32.const 0xfffffff0) (i32.const 32))))
    (if (i32.eq (local.get $lie) (i32.const 0x69)) (then
      (call $one_document (i32.const 8) (i32.const 131000) (i32.const 73))))
    (if (i32.eq (local.get $lie) (i32.const 0x6a)) (then
      (call $one_document (i32.const 16) (i32.const 1) (i32.const 1))))
    ;; An answer outside memory, and one at an odd address.
    (if (i32.eq (local.get $lie) (i32.const 0x6b)) (then (return (i32.const 0xfffffff8))))
    (if (i32.eq (local.get $lie) (i32.const 0x6c)) (then (return (i32.const 1025))))
    ;; The same bytes five thousand times.
    (if (i32.eq (local.get $lie) (i32.const 0x6d)) (then (call $all_of_it)))
    ;; Traps, loops and calls the host when the answer has been read.
    (if (i32.eq (local.get $lie) (i32.const 0x6e)) (then (global.set $afterwards (i32.const 1))))
    (if (i32.eq (local.get $lie) (i32.const 0x6f)) (then (global.set $afterwards (i32.const 2))))
    (if (i32.eq (local.get $lie) (i32.const 0x70)) (then (global.set $afterwards (i32.const 3))))
    ;; Logs at a level that there is not, from outside memory, what is no text, and fields that overflow.
    (if (i32.eq (local.get $lie) (i32.const 0x71)) (then
      (call $write (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
    (if (i32.eq (local.get $lie) (i32.const 0x72)) (then
      (call $write (i32.const 0) (i32.const 131071) (i32.const 2) (i32.const 0) (i32.const 0))))
    (if (i32.eq (local.get $lie) (i32.const 0x73)) (then
      (call $write (i32.const 0) (i32.const 512) (i32.const 2) (i32.const 0) (i32.const 0))))
    (if (i32.eq (local.get $lie) (i32.const 0x74)) (then
      (call $write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x10000001))))
    (i32.const 1024))

  (func (export "cabi_post_weir:plugin/mapper@0.1.0#transform") (param $answer i32)
    (if (i32.eq (global.get $afterwards) (i32.const 1)) (then unreachable))
    (if (i32.eq (global.get $afterwards) (i32.const 2)) (then (loop $for_ever (br $for_ever))))
    (if (i32.eq (global.get $afterwards) (i32.const 3)) (then
      (call $write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))))
