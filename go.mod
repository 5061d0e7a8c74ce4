module kycd

go 1.26
