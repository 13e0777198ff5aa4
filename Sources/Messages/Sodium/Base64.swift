import CSodium

/// RFC 4648 base64url without padding, by libsodium: in constant time, and only the one canonical
/// form is read.
enum Base64 {
  private static let variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING

  static func characterCount(ofByteCount count: Int) -> Int { (count * 4 + 2) / 3 }

  static func encode(_ bytes: [UInt8]) -> String {
    let text = [UInt8](capacity: characterCount(ofByteCount: bytes.count) + 1) { output in
      unsafe bytes.span.withUnsafeBufferPointer { unsafe encode($0, into: &output) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Text of secret bytes, without leaving secret memory.
  static func encode(_ secret: borrowing SecretBytes, into output: inout OutputSpan<UInt8>) {
    secret.withBytes { bytes in
      unsafe bytes.withUnsafeBufferPointer { unsafe encode($0, into: &output) }
    }
  }

  /// `nil` unless the text stands for exactly `byteCount` bytes.
  static func decode(_ text: Span<UInt8>, byteCount: Int) -> [UInt8]? {
    guard text.count == characterCount(ofByteCount: byteCount) else { return nil }
    var isValid = false
    let bytes = [UInt8](capacity: byteCount) { output in
      unsafe output.fill(byteCount) { isValid = unsafe decode(text, byteCount, into: $0) }
    }
    return isValid ? bytes : nil
  }

  static func decodeSecret(_ text: Span<UInt8>, byteCount: Int) -> SecretBytes? {
    guard text.count == characterCount(ofByteCount: byteCount) else { return nil }
    var isValid = false
    let secret = unsafe SecretBytes(byteCount: byteCount) {
      isValid = unsafe decode(text, byteCount, into: $0)
    }
    return if isValid { secret } else { nil }
  }

  /// C adds a NUL, for which there must be room; it is taken away again.
  private static func encode(
    _ bytes: UnsafeBufferPointer<UInt8>, into output: inout OutputSpan<UInt8>
  ) {
    Libsodium.requireReady()
    let capacity = characterCount(ofByteCount: bytes.count) + 1
    unsafe output.fill(capacity) { text in
      unsafe text.withMemoryRebound(to: CChar.self, capacity: capacity) { text in
        _ = unsafe sodium_bin2base64(text, capacity, bytes.baseAddress, bytes.count, variant)
      }
    }
    _ = output.removeLast()
  }

  private static func decode(
    _ text: Span<UInt8>, _ byteCount: Int, into bytes: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    Libsodium.requireReady()
    return unsafe text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return byteCount == 0 }
      var decodedCount = 0
      let result = unsafe base.withMemoryRebound(to: CChar.self, capacity: text.count) { base in
        unsafe sodium_base642bin(
          bytes, byteCount, base, text.count, nil, &decodedCount, nil, variant)
      }
      return result == 0 && decodedCount == byteCount
    }
  }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
