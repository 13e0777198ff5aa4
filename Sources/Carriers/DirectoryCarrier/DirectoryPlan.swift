package import CarrierProtocol
package import Logging
package import Sodium

/// What a configuration says under `directory:`.
package struct DirectoryPlan: CarrierPlan, Equatable {
  package static let pollSecondsDefault = 5

  package let place: String
  /// Of one file of a message.
  package let fileByteCount: UInt64
  package let pollInterval: Duration

  /// `path`: absolute. `fileMebibytes`: one of `DirectoryLayout.fileMebibytes`.
  package init(
    path: String, fileMebibytes: Int = DirectoryLayout.fileMebibytesDefault,
    pollInterval: Duration = .seconds(pollSecondsDefault)
  ) {
    precondition(DirectoryLayout.fileMebibytes.contains(fileMebibytes) && pollInterval > .zero)
    (place, self.pollInterval) = (path, pollInterval)
    fileByteCount = UInt64(fileMebibytes) << 20
  }

  /// Nobody answers there.
  package var server: PublicIdentity? { nil }
  package var isListening: Bool { false }

  package func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts, log: Logger
  ) -> any Carrier {
    DirectoryExchange(self, timeouts)
  }
}
