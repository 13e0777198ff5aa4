import Foundation
import MessageFormat

/// The state of an applier as Prometheus' textfile collector reads it
/// (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format").
package struct Metrics {
  package static func text(_ status: ApplierStatus) -> String {
    var text = ""
    func add(_ name: String, _ help: String, _ values: [(labels: String, value: String)]) {
      guard !values.isEmpty else { return }
      text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
      for (labels, value) in values { text += "\(name)\(labels) \(value)\n" }
    }
    let rows = status.checkouts.map { ($0, labels($0)) }
    add(
      "distro_checkout_stale", "1 where a checkout may not be what its signers want it to be.",
      rows.map { ($1, $0.staleness == nil ? "0" : "1") })
    add(
      "distro_checkout_info", "The revision that a checkout is at, and why it is stale.",
      rows.map { checkout, labels in
        let revision = checkout.revision?.hex ?? ""
        let reason = checkout.staleness?.name ?? ""
        return (
          "\(labels.dropLast()),revision=\"\(revision)\",stale=\"\(reason)\"}", "1"
        )
      })
    add(
      "distro_heartbeat_created_seconds", "When the newest heartbeat was made.",
      rows.compactMap { row, labels in row.heartbeat.map { (labels, seconds($0.createdAt)) } })
    add(
      "distro_heartbeat_expires_seconds", "When the newest heartbeat expires.",
      rows.compactMap { row, labels in row.heartbeat.map { (labels, seconds($0.expiresAt)) } })
    add(
      "distro_last_refusal_seconds", "When a message was last refused.",
      rows.compactMap { row, labels in
        row.lastRefusal.map {
          ("\(labels.dropLast()),reason=\"\($0.name)\"}", seconds($0.at))
        }
      })
    add(
      "distro_checkout_blocked", "1 where the machine keeps the applier from a checkout.",
      rows.map { checkout, labels in
        let reason = checkout.block?.reason.rawValue ?? ""
        return (
          "\(labels.dropLast()),reason=\"\(reason)\"}", checkout.block == nil ? "0" : "1"
        )
      })
    add(
      "distro_stray_refusals", "Refused messages that belong to no checkout, by reason.",
      status.strayRefusals.map { ("{reason=\"\($0.name)\"}", "\($0.count)") })
    add("distro_inbox_messages", "Messages that wait.", [("", "\(status.waitingCount)")])
    return text
  }

  /// Whole or not at all: into a file beside it, and renamed.
  static func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  private static func labels(_ checkout: CheckoutStatus) -> String {
    let settings = checkout.settings
    let (remote, branch) = (
      escaped(settings.stream.remote.text), escaped(settings.stream.branch.shortName)
    )
    return "{remote=\"\(remote)\",branch=\"\(branch)\",path=\"\(escaped(settings.path))\"}"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func seconds(_ time: Timestamp) -> String {
    "\(Double(time.milliseconds) / 1_000)"
  }
}
