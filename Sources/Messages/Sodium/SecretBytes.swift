import CSodium

/// Secret bytes: locked into memory, between guard pages, out of core dumps,
/// read-only once filled, wiped when they go.
///
/// Runs out of memory as Swift does, by stopping the process. Source: libsodium, "Secure memory".
@safe package struct SecretBytes: ~Copyable, @unchecked Sendable {
  // Sendable: nothing writes to the memory after `init`.
  private let memory: UnsafeMutableRawPointer
  package let byteCount: Int

  /// Up to `capacity` bytes: those that `initializer` puts into the span. If it throws, what it
  /// wrote is wiped.
  package init<E: Error>(
    capacity: Int, initializingWith initializer: (inout OutputSpan<UInt8>) throws(E) -> Void
  ) throws(E) {
    let memory = unsafe Self.allocate(capacity)
    let buffer = unsafe UnsafeMutableBufferPointer(
      start: memory.assumingMemoryBound(to: UInt8.self), count: capacity)
    var span = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
    do throws(E) {
      try initializer(&span)
    } catch {
      unsafe sodium_free(memory)
      throw error
    }
    byteCount = unsafe span.finalize(for: buffer)
    unsafe Self.makeReadOnly(memory)
    unsafe self.memory = memory
  }

  /// Fresh bytes from the system's generator.
  package init(random byteCount: Int) {
    unsafe self.init(byteCount: byteCount) { unsafe randombytes_buf($0, byteCount) }
  }

  /// A second copy; wiping the first one is its owner's duty.
  package init(copying bytes: Span<UInt8>) {
    self.init(capacity: bytes.count) { output in
      for index in bytes.indices { output.append(bytes[index]) }
    }
  }

  /// Exactly `byteCount` bytes, all of them written by a C function.
  init<E: Error>(
    byteCount: Int, filledBy body: (UnsafeMutablePointer<UInt8>) throws(E) -> Void
  ) throws(E) {
    let memory = unsafe Self.allocate(byteCount)
    do throws(E) {
      try unsafe body(memory.assumingMemoryBound(to: UInt8.self))
    } catch {
      unsafe sodium_free(memory)
      throw error
    }
    unsafe Self.makeReadOnly(memory)
    self.byteCount = byteCount
    unsafe self.memory = memory
  }

  deinit { unsafe sodium_free(memory) }

  /// Lends the bytes; what `body` copies out of them is no longer guarded.
  package func withBytes<R: ~Copyable, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    let pointer = unsafe UnsafePointer(memory.assumingMemoryBound(to: UInt8.self))
    return try body(unsafe Span(_unsafeStart: pointer, count: byteCount))
  }

  /// The same for C functions; the pointer is valid during `body`.
  func withPointer<R: ~Copyable, E: Error>(
    _ body: (UnsafePointer<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try unsafe body(UnsafePointer(memory.assumingMemoryBound(to: UInt8.self)))
  }

  /// Takes the same time wherever the first difference is.
  package static func == (left: borrowing SecretBytes, right: borrowing SecretBytes) -> Bool {
    guard left.byteCount == right.byteCount else { return false }
    return unsafe sodium_memcmp(left.memory, right.memory, left.byteCount) == 0
  }

  private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    Libsodium.requireReady()
    guard let memory = unsafe sodium_malloc(byteCount) else {
      fatalError("out of memory: sodium_malloc of \(byteCount) bytes")
    }
    return unsafe memory
  }

  private static func makeReadOnly(_ memory: UnsafeMutableRawPointer) {
    let result = unsafe sodium_mprotect_readonly(memory)
    precondition(result == 0, "sodium_mprotect_readonly failed")
  }
}
