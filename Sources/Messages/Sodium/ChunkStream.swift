import CSodium

/// What the two ends of a sealed stream of chunks share. Source: libsodium, "Encrypted streams and
/// file encryption" (`crypto_secretstream_xchacha20poly1305`).
package enum ChunkStream {
  /// What the opener needs besides the key; not secret.
  package static let headerByteCount = 24
  /// A sealed chunk is so much longer than what is in it.
  package static let overheadByteCount = 17
}

/// Whether more chunks follow: sealed with each of them, so that a stream can't be cut short
/// unnoticed.
package enum ChunkTag: Sendable, Hashable {
  case message
  case final

  var byte: UInt8 {
    switch self {
    case .message: crypto_secretstream_xchacha20poly1305_tag_message()
    case .final: crypto_secretstream_xchacha20poly1305_tag_final()
    }
  }

  /// `nil` for the tags that we never send.
  init?(byte: UInt8) {
    if byte == Self.message.byte {
      self = .message
    } else if byte == Self.final.byte {
      self = .final
    } else {
      return nil
    }
  }
}

/// The key and nonce of a stream in secret memory; they change with every chunk.
@safe struct ChunkState: ~Copyable, @unchecked Sendable {
  // Sendable: one owner at a time, and every call that changes the state is `mutating` there.
  let pointer: UnsafeMutablePointer<crypto_secretstream_xchacha20poly1305_state>

  init() {
    Libsodium.requireReady()
    let byteCount = crypto_secretstream_xchacha20poly1305_statebytes()
    guard let memory = unsafe sodium_malloc(byteCount) else {
      fatalError("out of memory: sodium_malloc of \(byteCount) bytes")
    }
    unsafe pointer = memory.assumingMemoryBound(
      to: crypto_secretstream_xchacha20poly1305_state.self)
  }

  deinit { unsafe sodium_free(pointer) }
}
