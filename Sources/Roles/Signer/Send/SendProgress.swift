/// Reports how far a long step is; calls come often and must be cheap.
package struct SendProgress: Sendable {
  package enum Step: String, Sendable, Codable { case packing, sealing, sending }

  private let body: @Sendable (Step, UInt64, UInt64) -> Void

  package init(_ body: @escaping @Sendable (Step, _ done: UInt64, _ total: UInt64) -> Void) {
    self.body = body
  }

  func report(_ step: Step, done: UInt64, of total: UInt64) { body(step, done, total) }
}
