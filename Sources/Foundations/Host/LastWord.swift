import Dispatch

/// What is to be noted before the program ends, on a thread of its own: what keeps the program from getting on may be in
/// the way of that as well.
package enum LastWord {
  /// Whether `body` ended within `limit`; if not, it is no longer waited for.
  @discardableResult
  package static func say(
    within limit: Duration, _ body: @escaping @Sendable () -> Void
  ) -> Bool {
    let said = Bell()
    DispatchQueue.global().async {
      body()
      said.ring()
    }
    return said.wait(for: limit)
  }
}
