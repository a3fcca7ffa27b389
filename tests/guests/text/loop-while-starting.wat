;; Loops for ever before anything of it can be called.
(component
  (core module $code
    (func $start (loop br 0))
    (start $start)
    (func (export "transform")))
  (core instance $instance (instantiate $code))
  (func $transform (canon lift (core func $instance "transform")))
  (instance $mapper (export "transform" (func $transform)))
  (export "weir:plugin/mapper@0.1.0" (instance $mapper)))
