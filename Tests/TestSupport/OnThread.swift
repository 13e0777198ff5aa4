import Foundation

/// For what blocks its thread: no test blocks one of Swift's pool.
package func onThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result { try body() }) }.start()
  }
}

/// The same as `becomesTrue`, beside the test.
package func becomesTrueLater(_ condition: @escaping @Sendable () throws -> Bool) async throws
  -> Bool
{
  try await onThread { try becomesTrue(condition) }
}
