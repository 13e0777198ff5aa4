import Glibc

// The two loops that everything here spends its time in, at the speed of the C library.

extension ArraySlice<UInt8> {
  /// The index of the first `byte`; `nil` when there is none.
  func position(of byte: UInt8) -> Int? {
    unsafe withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return nil }
      guard let found = unsafe memchr(start, Int32(byte), buffer.count) else { return nil }
      return unsafe startIndex + (UnsafeRawPointer(found) - start)
    }
  }

  func isSame(as other: ArraySlice<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBytes { mine in
      unsafe other.withUnsafeBytes { theirs in
        guard let left = mine.baseAddress, let right = theirs.baseAddress else { return true }
        return unsafe memcmp(left, right, mine.count) == 0
      }
    }
  }
}
