import Foundation

/// Messages for one queue in one request, whose size is known as it grows: IronMQ's limit is on the whole of it.
package struct PostBatch: Sendable, Equatable {
  package static let countMax = 100
  /// Of the limit, what is left to the request's line and headers.
  package static let headByteCount = 2_048
  private static let frameByteCount = #"{"messages":[]}"#.utf8.count
  private static let itemByteCount = #"{"body":""},"#.utf8.count

  /// What a message of this request holds at most, before it is Base64.
  package static func contentByteCountMax(requestByteCount: Int) -> Int {
    (requestByteCount - headByteCount - frameByteCount - itemByteCount) / 4 * 3
  }

  private let byteCountMax: Int
  package private(set) var contents: [[UInt8]] = []
  private var byteCount = frameByteCount

  package init(requestByteCount: Int) { byteCountMax = requestByteCount - Self.headByteCount }

  /// `false`: it does not fit any more.
  package mutating func append(_ content: [UInt8]) -> Bool {
    let added = Self.itemByteCount + (content.count + 2) / 3 * 4
    guard contents.count < Self.countMax, byteCount + added <= byteCountMax else { return false }
    contents.append(content)
    byteCount += added
    return true
  }

  func encoded() -> [UInt8] {
    var bytes = Array(#"{"messages":["#.utf8)
    bytes.reserveCapacity(byteCount)
    for (index, content) in contents.enumerated() {
      bytes += Array((index == 0 ? #"{"body":""# : #",{"body":""#).utf8)
      bytes += Data(content).base64EncodedData()
      bytes += Array(#""}"#.utf8)
    }
    return bytes + Array("]}".utf8)
  }
}
