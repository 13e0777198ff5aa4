import MessageFormat

extension CarrierRefusal {
  /// What JetStream's answer to a publication means to its sender.
  static func answer(_ code: Int, _ reason: String) -> (CarrierRefusal, String) {
    switch code {
    // The stream's own limits.
    case 10_077, 10_122: (.overQuota, reason)
    // The account's and the servers'.
    case 10_002, 10_023, 10_028, 10_047: (.overQuota, "the servers' storage is full: \(reason)")
    case 10_054: (.overLimit, reason)
    case 10_060: (.unknownMailbox, "another stream has its subject")
    default: (.fault, "\(code) \(reason)")
    }
  }
}
