package import GitModel
package import MessageFormat

/// Something that people are told of. What a machine says in its own words is not in it.
package struct NoticeEvent: Codable, Equatable, Sendable {
  package let kind: NoticeKind
  /// A machine, or of `host-unreachable` a server.
  package let subject: String
  package let remote: String?
  package let branch: String?
  package let revision: String?
  /// The first line of the commit's message: written by those who may push.
  package let commit: String?
  /// The name of a refusal, the reason why a server is not reached.
  package let reason: String?
  /// Milliseconds since 1970.
  package let at: UInt64

  package init(
    _ kind: NoticeKind, machine: String, on stream: StreamName, at revision: ObjectID?,
    commit: String? = nil, reason: String? = nil, time: Timestamp
  ) {
    (self.kind, subject) = (kind, machine)
    (remote, branch) = (stream.remote.text, stream.branch.shortName)
    (self.revision, self.commit, self.reason) = (revision?.hex, commit, reason)
    at = time.milliseconds
  }

  package init(_ kind: NoticeKind, host: String, reason: String?, time: Timestamp) {
    (self.kind, subject, self.reason, at) = (kind, host, reason, time.milliseconds)
    (remote, branch, revision, commit) = (nil, nil, nil, nil)
  }
}
