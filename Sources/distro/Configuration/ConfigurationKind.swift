/// Whose configuration a file is, told by the keys that only one of them has.
enum ConfigurationKind {
  case signer, applier, relay, serve

  init(_ file: ConfigurationFile) {
    func has(_ key: String) -> Bool { file.root.value(of: key) != nil }
    if has("repositories") {
      self = .signer
    } else if has("checkouts") {
      self = .applier
    } else {
      self = has("identity") ? .relay : .serve
    }
  }
}
