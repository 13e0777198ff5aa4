import Reporting

/// What a signer's configuration says of statuses and notices; everything else of it is `SignerConfiguration`'s.
enum ReportingConfiguration {
  private static let staleSecondsMax = 86_400
  /// So many heartbeats may stay without an answer.
  private static let heartbeatCount = 3

  static func read(
    _ root: ConfigurationMapping, heartbeatSeconds: Int, in file: ConfigurationFile
  ) throws -> ReportingSettings {
    var statuses: [StatusTarget] = []
    for repository in try root["repositories"].list() {
      guard let node = repository.value(of: "status"), let remote = repository.value(of: "remote")
      else { continue }
      let target = try StatusConfiguration.read(node, of: try remoteName(remote), in: file)
      guard !statuses.contains(where: { $0.remote == target.remote }) else {
        throw node.invalid("\(target.remote) has a status in another entry already")
      }
      statuses.append(target)
    }
    return ReportingSettings(
      statuses: statuses, notices: try NoticeConfiguration.read(root[optional: "notify"], in: file),
      staleSeconds: try staleSeconds(root, heartbeatSeconds: heartbeatSeconds))
  }

  /// Never sooner than machines can answer.
  private static func staleSeconds(
    _ root: ConfigurationMapping, heartbeatSeconds: Int
  ) throws -> UInt64 {
    let least = UInt64(heartbeatSeconds * heartbeatCount)
    guard let node = root[optional: "stale-after-seconds"] else {
      return max(ReportingSettings.staleSecondsDefault, least)
    }
    let seconds = try node.count()
    guard seconds <= staleSecondsMax else {
      throw node.invalid("over the limit of \(staleSecondsMax)")
    }
    return max(UInt64(seconds), least)
  }
}
