import Applier
import GitModel

/// How a checkout's files come to be where they are used: `layout`, `keep`, `shared`.
enum LayoutConfiguration {
  static let keys = ["layout", "keep", "shared"]

  private enum Name: String, CaseIterable {
    case inPlace = "in-place"
    case releases
  }

  private static let keepDefault = 5
  private static let keepMax = 1_000
  private static let sharedCountMax = 1_000

  static func read(_ checkout: ConfigurationMapping) throws -> CheckoutLayout {
    let name = try checkout[optional: "layout"]?.choice(Name.self) ?? .inPlace
    guard name == .releases else {
      if let key = ["keep", "shared"].first(where: { checkout[optional: $0] != nil }) {
        throw try checkout[key].invalid("is for 'layout: releases'")
      }
      return .inPlace
    }
    let keep = try checkout[optional: "keep"]?.count() ?? keepDefault
    guard (2...keepMax).contains(keep) else {
      throw try checkout["keep"].invalid("2 to \(keepMax) expected")
    }
    return .releases(
      ReleaseSettings(keep: keep, shared: try shared(checkout[optional: "shared"])))
  }

  private static func shared(_ node: ConfigurationNode?) throws -> [TreePath] {
    guard let node else { return [] }
    let paths = try node.list().map { node in
      let text = try node.string()
      do throws(UnsafePath) {
        return try TreePath(text)
      } catch {
        throw node.invalid("a path below the checkout expected, found '\(text)'")
      }
    }
    guard paths.count <= sharedCountMax, Set(paths).count == paths.count else {
      throw node.invalid("up to \(sharedCountMax) paths expected, each once")
    }
    for path in paths {
      let inner = paths.first {
        $0 != path && $0.bytes.starts(with: path.bytes + [UInt8(ascii: "/")])
      }
      if let inner { throw node.invalid("'\(inner)' is inside '\(path)'") }
    }
    return paths
  }
}
