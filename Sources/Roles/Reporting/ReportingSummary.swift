import Foundation

/// What reporting has not told yet, or could not tell, for `distro status` and `distro doctor`.
package struct ReportingSummary: Sendable {
  package struct Trouble: Sendable, Equatable {
    package enum Kind: String, Sendable {
      case notTold = "not told"
      case notFetched = "not fetched"
    }

    package let kind: Kind
    /// A host, a route, an upstream.
    package let subject: String
    package let text: String
  }

  package let troubles: [Trouble]

  /// Only looks; changes nothing.
  package init(_ settings: ReportingSettings, signerState: String) throws {
    guard !settings.isEmpty, let state = try ReportingState(readingBelow: signerState) else {
      troubles = []
      return
    }
    var troubles = try state.failingHosts().map {
      switch $0.server.kind {
      case .codeHost:
        Trouble(
          kind: .notTold, subject: $0.server.name,
          text: "takes nothing at the moment: \($0.failure)")
      case .upstream:
        Trouble(kind: .notFetched, subject: $0.server.name, text: $0.failure)
      }
    }
    for target in settings.statuses {
      let (waiting, lost, reason) = try state.statusTroubles(of: target.remote)
      guard lost > 0 || reason != nil else { continue }
      let counts = [
        waiting > 0 ? "\(waiting) statuses wait" : nil,
        lost > 0 ? "\(lost) statuses were given up" : nil,
      ].compactMap(\.self).joined(separator: ", ")
      troubles.append(
        Trouble(
          kind: .notTold, subject: target.remote.text,
          text: [counts, reason ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")))
    }
    for route in settings.notices {
      if let open = try state.openNotice(of: route.name), let failure = open.failure {
        troubles.append(
          Trouble(
            kind: .notTold, subject: route.name,
            text: "a notice was tried \(open.failureCount) times: \(failure)"))
      }
    }
    for lost in try state.lost() {
      troubles.append(
        Trouble(
          kind: .notTold, subject: lost.route,
          text: "\(lost.count) notices were given up: \(lost.failure)"))
    }
    self.troubles = troubles
  }
}
