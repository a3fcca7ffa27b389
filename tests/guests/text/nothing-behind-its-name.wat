;; Exports the name of a role with nothing behind it.
(component
  (instance $mapper)
  (export "weir:plugin/mapper@0.1.0" (instance $mapper)))
