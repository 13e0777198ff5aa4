import Applier
import GitModel

/// What of a repository a checkout takes, and when: `allow-paths`, `deny-paths`, `submodules`, `no-apply`.
enum PolicyConfiguration {
  static let keys = ["allow-paths", "deny-paths", "submodules", "no-apply"]

  private static let countMax = 1_000

  static func read(_ checkout: ConfigurationMapping) throws -> CheckoutPolicy {
    CheckoutPolicy(
      allowedPaths: try globs(checkout[optional: "allow-paths"]),
      deniedPaths: try globs(checkout[optional: "deny-paths"]),
      submodules: try checkout[optional: "submodules"]?.choice(CheckoutPolicy.Submodules.self)
        ?? .allow,
      noApply: try windows(checkout[optional: "no-apply"]))
  }

  private static func globs(_ node: ConfigurationNode?) throws -> [Glob] {
    guard let node else { return [] }
    let globs = try node.list().map { node in
      let text = try node.string()
      guard !text.hasPrefix("/"), !text.hasSuffix("/") else {
        throw node.invalid("a pattern without a slash at its ends expected, found '\(text)'")
      }
      return Glob(text)
    }
    guard (1...countMax).contains(globs.count) else {
      throw node.invalid("1 to \(countMax) patterns expected")
    }
    return globs
  }

  /// One, or a list.
  private static func windows(_ node: ConfigurationNode?) throws -> [NoApplyWindow] {
    guard let node else { return [] }
    return try (node.isList ? try node.list() : [node]).map { node in
      let text = try node.string()
      guard let window = NoApplyWindow(text) else {
        throw node.invalid(
          "'Fri 16:00 - Mon 08:00 Europe/Berlin' or '22:00 - 06:00 UTC' expected, found '\(text)'")
      }
      return window
    }
  }
}
