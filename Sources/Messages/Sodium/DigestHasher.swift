import CSodium

/// A `Digest` of bytes that come in pieces.
@safe package struct DigestHasher: ~Copyable, @unchecked Sendable {
  // Sendable: one owner at a time, and `update` needs exclusive access. On the heap, since C wants
  // the state aligned.
  private let state: OpaquePointer
  private static let alignment = 64

  package init() {
    Libsodium.requireReady()
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: crypto_generichash_blake2b_statebytes(), alignment: Self.alignment)
    unsafe state = OpaquePointer(memory)
    let result = unsafe crypto_generichash_blake2b_init(state, nil, 0, Digest.byteCount)
    precondition(result == 0)
  }

  deinit { unsafe UnsafeMutableRawPointer(state).deallocate() }

  package mutating func update(_ content: Span<UInt8>) {
    unsafe content.withUnsafeBufferPointer { content in
      let result = unsafe crypto_generichash_blake2b_update(
        state, content.baseAddress, UInt64(content.count))
      precondition(result == 0)
    }
  }

  package consuming func finalize() -> Digest {
    let bytes = [UInt8](capacity: Digest.byteCount) { output in
      unsafe output.fill(Digest.byteCount) { digest in
        let result = unsafe crypto_generichash_blake2b_final(state, digest, Digest.byteCount)
        precondition(result == 0)
      }
    }
    guard let digest = Digest(bytes: bytes) else { preconditionFailure() }
    return digest
  }
}
