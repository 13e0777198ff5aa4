import Foundation
import ServiceLifecycle

/// Runs what may block for long on a thread of its own: those of tasks are as few as the processors.
func runBlocking<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    let thread = Thread { continuation.resume(with: Result { try body() }) }
    thread.stackSize = 8 << 20
    thread.start()
  }
}
