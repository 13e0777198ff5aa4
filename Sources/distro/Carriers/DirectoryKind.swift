import DirectoryCarrier
import Sodium

/// `directory:` with `path:`, and perhaps `file-mebibytes:` and `poll-seconds:`.
enum DirectoryKind: CarrierKind {
  static let key = "directory"

  private static let pollSecondsMax = 86_400

  /// Needs no library.
  static func requireLibrary() {}

  static func read(
    _ node: ConfigurationNode, for user: CarrierUser, in file: ConfigurationFile
  ) throws -> DirectoryPlan {
    let keys = try node.mapping(keys: ["path", "file-mebibytes", "poll-seconds"])
    let mebibytes = try number(
      keys[optional: "file-mebibytes"], DirectoryLayout.fileMebibytesDefault,
      in: DirectoryLayout.fileMebibytes)
    let seconds = try number(
      keys[optional: "poll-seconds"], DirectoryPlan.pollSecondsDefault, in: 1...pollSecondsMax)
    return DirectoryPlan(
      path: try file.path(try keys["path"]), fileMebibytes: mebibytes,
      pollInterval: .seconds(seconds))
  }

  private static func number(
    _ node: ConfigurationNode?, _ otherwise: Int, in range: ClosedRange<Int>
  ) throws -> Int {
    guard let node else { return otherwise }
    let value = try node.count()
    guard range.contains(value) else {
      throw node.invalid("a number from \(range.lowerBound) to \(range.upperBound) expected")
    }
    return value
  }

  static func examine(
    _ plan: DirectoryPlan, as identity: Identity, readers: [PublicIdentity],
    _ examination: inout Examination
  ) {
    DirectoryChecks(plan: plan, identity: identity, readers: readers).run(&examination)
  }
}
