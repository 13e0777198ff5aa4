import Foundation
import GitModel
import WebClient

/// What an LFS server is asked, and says.
///
/// Source: git-lfs, docs/api/batch.md, docs/api/authentication.md.
enum Batch {
  static let objectCountMax = 100
  static let mediaType = "application/vnd.git-lfs+json"
  private static let headerCountMax = 32

  /// What is ours to say of a request, whatever a server wants.
  private static let ownHeaders: Set = [
    "host", "content-length", "transfer-encoding", "connection", "range", "te", "upgrade",
    "proxy-authorization",
  ]

  struct Question: Encodable {
    struct Reference: Encodable { let name: String }

    struct Object: Encodable {
      let oid: String
      let size: UInt64
    }

    let operation = "download"
    let transfers = ["basic"]
    let ref: Reference
    let objects: [Object]
    let hashAlgorithm = "sha256"

    enum CodingKeys: String, CodingKey {
      case operation, transfers, ref, objects
      case hashAlgorithm = "hash_algo"
    }

    init(_ pointers: [LargeFilePointer], on branch: String) {
      ref = Reference(name: branch)
      objects = pointers.map { Object(oid: $0.name, size: $0.byteCount) }
    }
  }

  struct Answer: Decodable {
    struct Object: Decodable {
      let oid: String
      /// The way needs no more credentials.
      let authenticated: Bool?
      let actions: Actions?
      let error: Fault?
    }

    struct Actions: Decodable { let download: Action? }

    struct Action: Decodable {
      let href: String
      let header: [String: String]?
    }

    struct Fault: Decodable {
      let code: Int
      let message: String?
    }

    let transfer: String?
    let objects: [Object]
  }

  /// What `git-lfs-authenticate` says.
  struct Access: Decodable {
    let href: String?
    let header: [String: String]?
    let expiresIn: Double?

    enum CodingKeys: String, CodingKey {
      case href, header
      case expiresIn = "expires_in"
    }
  }

  /// Headers as a server wants them; `nil`: what it says can be none.
  static func headers(_ pairs: [String: String]?) -> [WebRequest.Header]? {
    let pairs = pairs ?? [:]
    let isPlain = { (name: String) in
      !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
    }
    guard pairs.count <= headerCountMax,
      pairs.allSatisfy({ name, value in
        isPlain(name) && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
      })
    else { return nil }
    return pairs.filter { !ownHeaders.contains($0.key.lowercased()) }
      .map { .init($0.key, $0.value) }
  }

  static func encode(_ question: Question) -> [UInt8] {
    do {
      return Array(try JSONEncoder().encode(question))
    } catch {
      preconditionFailure("texts and numbers can be encoded: \(error)")
    }
  }

  /// `nil`: it is something else.
  static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      return nil
    }
  }
}
