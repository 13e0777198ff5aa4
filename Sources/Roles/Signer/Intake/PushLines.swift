/// The lines of a `post-receive` hook, of which there may be any number. Those of branches are kept; of what is never
/// sent, the first are, to be named, and the others are counted.
package struct PushLines: Sendable {
  private static let namedCountMax = 20

  private(set) var lines: [String] = []
  /// Neither kept nor sent.
  private(set) var unnamedCount = 0
  private var otherCount = 0

  package init() {}

  package mutating func add(_ line: String) {
    if let push = Push(hookLine: line), !push.isOfBranch {
      otherCount += 1
      guard otherCount <= Self.namedCountMax else { return unnamedCount += 1 }
    }
    lines.append(line)
  }

  mutating func add(unnamedCount count: Int) { unnamedCount += count }
}
