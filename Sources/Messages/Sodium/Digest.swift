import CSodium

/// A BLAKE2b-256 digest: 32 bytes, no key. Source: RFC 7693; `b2sum -l 256` prints the same.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
  package static let byteCount = 32
  package let bytes: [UInt8]

  /// `nil` unless there are exactly 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }

  package init(of content: [UInt8]) {
    self.init(of: content.span)
  }

  package init(of content: Span<UInt8>) {
    Libsodium.requireReady()
    bytes = Array(capacity: Self.byteCount) { output in
      unsafe content.withUnsafeBufferPointer { content in
        unsafe output.fill(Self.byteCount) { digest in
          let result = unsafe crypto_generichash_blake2b(
            digest, Self.byteCount, content.baseAddress, UInt64(content.count), nil, 0)
          precondition(result == 0)
        }
      }
    }
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String { hexadecimal(bytes) }

  package var description: String { hex }

  /// Takes the same time wherever the first difference is.
  package static func == (left: Digest, right: Digest) -> Bool {
    unsafe left.bytes.withUnsafeBytes { left in
      unsafe right.bytes.withUnsafeBytes { right in
        unsafe sodium_memcmp(left.baseAddress, right.baseAddress, byteCount) == 0
      }
    }
  }
}
