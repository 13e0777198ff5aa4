/// A frame of STOMP 1.2: a command, headers in their order, and a body of any bytes.
package struct STOMPFrame: Sendable, Equatable {
  package typealias Header = (name: String, value: String)

  package let command: String
  /// Of a frame that was received, those that its reader asked for.
  package let headers: [Header]
  /// `nil`: there were more bytes than the limit.
  package let body: [UInt8]?

  package init(_ command: String, _ headers: [Header] = [], body: [UInt8]? = []) {
    (self.command, self.headers, self.body) = (command, headers, body)
  }

  /// Of a header that comes again, the first counts ("Repeated Header Entries").
  package subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

  package static func == (one: STOMPFrame, other: STOMPFrame) -> Bool {
    one.command == other.command && one.body == other.body
      && one.headers.elementsEqual(other.headers) { $0 == $1 }
  }

  /// With `content-length:`, unless there is no body: it may hold zeros.
  package func encoded() -> [UInt8] {
    let body = body ?? []
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256 + body.count)
    bytes += command.utf8
    bytes.append(Octet.lineFeed)
    for (name, value) in headers {
      HeaderText.append(name, to: &bytes, escaping: isEscaped)
      bytes.append(Octet.colon)
      HeaderText.append(value, to: &bytes, escaping: isEscaped)
      bytes.append(Octet.lineFeed)
    }
    if !body.isEmpty { bytes += "content-length:\(body.count)\n".utf8 }
    bytes.append(Octet.lineFeed)
    bytes += body
    bytes.append(0)
    return bytes
  }

  private var isEscaped: Bool { HeaderText.isEscaped(in: command) }
}

/// A header's name or value as bytes ("Value Encoding").
enum HeaderText {
  /// The two whose headers are as in STOMP 1.0.
  static func isEscaped(in command: String) -> Bool { !["CONNECT", "CONNECTED"].contains(command) }

  static func append(_ text: String, to bytes: inout [UInt8], escaping: Bool) {
    for byte in text.utf8 {
      switch byte {
      case _ where !escaping:
        precondition(![0, Octet.lineFeed, Octet.carriageReturn].contains(byte), "not in a CONNECT")
        bytes.append(byte)
      case Octet.carriageReturn: bytes += [Octet.backslash, UInt8(ascii: "r")]
      case Octet.lineFeed: bytes += [Octet.backslash, UInt8(ascii: "n")]
      case Octet.colon: bytes += [Octet.backslash, UInt8(ascii: "c")]
      case Octet.backslash: bytes += [Octet.backslash, Octet.backslash]
      default: bytes.append(byte)
      }
    }
  }

  /// `nil`: an escape that there is not, or bytes that are no text.
  static func decoded(_ bytes: ArraySlice<UInt8>, escaped: Bool) -> String? {
    guard escaped, bytes.contains(Octet.backslash) else {
      return String(validating: bytes, as: UTF8.self)
    }
    var plain: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      guard byte == Octet.backslash else {
        plain.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "r"): plain.append(Octet.carriageReturn)
      case UInt8(ascii: "n"): plain.append(Octet.lineFeed)
      case UInt8(ascii: "c"): plain.append(Octet.colon)
      case Octet.backslash: plain.append(Octet.backslash)
      default: return nil
      }
    }
    return String(validating: plain, as: UTF8.self)
  }
}

enum Octet {
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let colon = UInt8(ascii: ":")
  static let backslash = UInt8(ascii: "\\")
}
