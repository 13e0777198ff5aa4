import Git

/// `limits:` of a repository or a checkout: how much it may hold.
enum LimitsConfiguration {
  static func read(_ node: ConfigurationNode?) throws -> TreeLimits {
    guard let node else { return TreeLimits() }
    let mapping = try node.mapping(keys: ["paths", "path-bytes", "bytes"])
    return TreeLimits(
      pathCountMax: try number(mapping[optional: "paths"]) ?? TreeLimits.pathCountMaxDefault,
      pathByteCountMax: try number(mapping[optional: "path-bytes"])
        ?? TreeLimits.pathByteCountMaxDefault,
      byteCountMax: try number(mapping[optional: "bytes"]) ?? TreeLimits.byteCountMaxDefault)
  }

  private static func number(_ node: ConfigurationNode?) throws -> Int? {
    guard let node else { return nil }
    let value = try node.count()
    guard value <= TreeLimits.numberMax else {
      throw node.invalid("over the limit of \(TreeLimits.numberMax)")
    }
    return value
  }
}
