;; Grows a table while starting until it gets no more, and gives up.
(component
  (core module $code
    (table $table 1 funcref)
    (func $start
      (loop $more
        (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 1024)) (i32.const -1))))
      unreachable)
    (start $start)
    (func (export "transform")))
  (core instance $instance (instantiate $code))
  (func $transform (canon lift (core func $instance "transform")))
  (instance $mapper (export "transform" (func $transform)))
  (export "weir:plugin/mapper@0.1.0" (instance $mapper)))
