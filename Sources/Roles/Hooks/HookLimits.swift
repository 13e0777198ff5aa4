/// Every limit on what comes from outside, with its reason.
package enum HookLimits {
  /// GitHub and GitLab send no larger body.
  package static let bodyByteCountMax = 25 << 20
  /// Up to here a body is read and verified at once: what a host sends for almost every push.
  package static let smallBodyByteCountMax = 256 << 10
  /// Larger bodies in memory at one time, and those of one address among them.
  static let largeBodyCountMax = 6
  static let largeBodyCountMaxOfAddress = 2
  /// All headers of a request; GitHub's have about 1 KiB.
  static let headerByteCountMax = 16 << 10
  static let headerCountMax = 100
  /// From the connection, or the last answer, to the end of the headers.
  static let headSeconds: Int64 = 10
  /// From the headers to the end of the body: the hosts themselves give up after 10 s.
  static let bodySeconds: Int64 = 20
  /// From the end of the request to the end of the answer, which a full queue delays.
  static let answerSeconds: Int64 = 30
  /// How long an answer may take to be read before the connection is closed under it.
  static let lingerSeconds: Int64 = 2
  static let connectionCountMax = 1_024
  /// Of one address; a trusted proxy may have all.
  static let connectionCountMaxOfAddress = 64
  /// Addresses that are remembered by the limiter; IPv6 counts by networks of 64 bits.
  static let addressCountMax = 10_000
  /// Requests of one address a second, without `requests-per-second:`.
  package static let requestsPerSecondDefault = 500
  package static let requestsPerSecondMax = 100_000
  /// Requests of one address that fail, at once and then a second; one with a large body counts as one more for each MiB.
  static let failureBurst = 200.0
  static let failuresPerSecond = 2.0
  /// Levels of arrays and objects in a payload; hosts use about 8.
  static let jsonDepthMax = 64
  /// Values of a payload that are kept: refs and addresses.
  static let jsonValueCountMax = 50_000
  /// A longer text of a payload is neither a ref nor an address.
  static let textByteCountMax = 4_096
  /// Refs of one event that are kept by name; of more, the repository as a whole.
  static let refCountMax = 1_000
  static let refByteCountMax = 255
  static let deliveryIDByteCountMax = 200
  package static let secretByteCountMax = 4_096
  /// Below this a secret can be guessed; `doctor` says so.
  package static let secretByteCountWeak = 16
  package static let hookCountMax = 1_000
  package static let pathByteCountMax = 255
  /// Requests that wait to be stored; what is more is told to come again.
  static let queueCountMax = 2_048
  /// Requests that one commit stores.
  static let commitCountMax = 256
  /// A redelivery is known so long; what no signer has taken is given up then.
  package static let memoryMilliseconds: UInt64 = 4 * 86_400_000
  /// GitLab's signing token: how far its clock and ours may be apart.
  static let signatureSkewSeconds: Int64 = 300
}
