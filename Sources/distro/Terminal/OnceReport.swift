import Applier
import Foundation
import MessageFormat

/// What `verify-apply --once` has come to, for machines.
enum OnceReport {
  static func json(_ answered: [Answered]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(answered.map { Row($0) }), as: UTF8.self)
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  private struct Row: Encodable {
    let message: String
    let remote: String?
    let ref: String?
    let after: String?
    let outcome: String
    let refusal: String?
    let detail: String?

    init(_ answered: Answered) {
      message = answered.message.hex
      remote = answered.content?.stream.remote.text
      ref = answered.content?.stream.branch.fullName
      after = answered.content?.after.revision.hex
      switch answered.outcome {
      case .refused(let refusal, let detail):
        (outcome, self.refusal, self.detail) = ("refused", refusal.rawValue, detail)
      case .applied: (outcome, refusal, detail) = ("applied", nil, nil)
      case .behind: (outcome, refusal, detail) = ("behind", nil, nil)
      case .blocked(let reason, let detail):
        (outcome, refusal, self.detail) = ("blocked", reason.rawValue, detail)
      }
    }
  }
}
