import Foundation

/// From the bytes of a verified request to what they say.
package enum Payload {
  /// What any host's rules ask for.
  private static let keys: Set<String> = [
    "ref", "ref_type", "repository", "project", "push", "changes", "new", "old", "name", "type",
    "refs", "refId", "id", "refLimitExceeded", "full_name", "clone_url", "ssh_url", "git_url",
    "html_url", "svn_url", "original_url", "git_http_url", "git_ssh_url", "http_url", "web_url",
    "url", "homepage", "path_with_namespace", "links", "html", "href", "clone", "key", "slug",
    "event_name", "object_kind",
  ]

  package static func recognise(
    _ request: HookRequest, from host: HookHost
  ) throws(PayloadFlaw) -> Recognition {
    let isForm = request.headers.contentType == formType
    let body = isForm ? try field(of: request.body) : request.body
    let payload = try JSONReader.read(body, keeping: keys)
    guard case .object = payload else { throw .notJSON("the payload is not an object") }
    return try host.rules.recognise(payload, request.headers)
  }

  static let formType = "application/x-www-form-urlencoded"

  /// Whether bodies of this type are read: JSON by any of its names, and forms where the host sends such.
  static func takes(_ type: String?, from host: HookHost) -> Bool {
    guard let type else { return false }
    if type == formType { return host.rules.takesForms }
    return type == "application/json" || type == "text/json"
      || type.hasPrefix("application/") && type.hasSuffix("+json")
  }

  /// The form's field `payload`: url.spec.whatwg.org, "application/x-www-form-urlencoded parsing".
  private static func field(of form: [UInt8]) throws(PayloadFlaw) -> [UInt8] {
    let name = Array("payload=".utf8)
    for part in form.split(separator: UInt8(ascii: "&")) where part.starts(with: name) {
      return decoded(part.dropFirst(name.count))
    }
    throw .missing("payload")
  }

  private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var place = text.startIndex
    while place < text.endIndex {
      let byte = text[place]
      if byte == UInt8(ascii: "%"), place + 2 < text.endIndex,
        let high = HexText.value(of: text[place + 1]), let low = HexText.value(of: text[place + 2])
      {
        bytes.append(high << 4 | low)
        place += 3
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
        place += 1
      }
    }
    return bytes
  }
}
